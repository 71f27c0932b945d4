// The first frame of a file.

import { FORMAT_VERSION, FRAME } from '../base/layout.js'
import type { Environment } from './environment.js'
import { FrameWriter } from './frames.js'

/**
 * Says which version and place a file belongs to, and the seed under which keys are hashed in it. Several may stand in a file
 * that two processes created at once; the nonce makes no two files begin alike.
 */
export function writeOpenFrame(writer: FrameWriter, identity: string, environment: Environment): FrameWriter {
  const { random, hashSeed } = environment
  writer.begin(FRAME.open).u16(FORMAT_VERSION).u32(hashSeed.current())
  writer.u32(random() * 2 ** 32).u32(random() * 2 ** 32)
  return writer.put(Buffer.from(identity)).end()
}

/** The frames behind an opening: what is first written to a file. */
export function withOpening(writer: FrameWriter, identity: string, environment: Environment): FrameWriter {
  return writeOpenFrame(new FrameWriter(), identity, environment).put(writer.bytes.subarray(0, writer.length))
}
