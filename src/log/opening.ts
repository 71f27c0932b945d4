// The first frame of a file.

import { FORMAT_VERSION, FRAME } from '../base/layout.js'
import type { Environment } from './environment.js'
import { FrameWriter } from './frames.js'

/**
 * Holds the format version, the file's identity and the seed under which its keys are hashed. A file that two processes created
 * at once may have several. The nonce makes all files begin differently.
 */
export function writeOpenFrame(writer: FrameWriter, identity: string, environment: Environment): FrameWriter {
  const { random, hashSeed } = environment
  writer.begin(FRAME.open).u16(FORMAT_VERSION).u32(hashSeed.current())
  writer.u32(random() * 2 ** 32).u32(random() * 2 ** 32)
  return writer.put(Buffer.from(identity)).end()
}

/** The frames preceded by an open frame, for the first write to a file. */
export function withOpening(writer: FrameWriter, identity: string, environment: Environment): FrameWriter {
  return writeOpenFrame(new FrameWriter(), identity, environment).put(writer.bytes.subarray(0, writer.length))
}
