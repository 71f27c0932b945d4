// Reports the findings of a scan: damage at once, and a frame that may still be in progress after another check at the end.

import type { Problem } from '../api/index.js'
import type { Inspection } from './inspection.js'
import { FLAW_MESSAGES, type Scan } from './scan.js'

/** Reports torn frames as notes. Returns the problems. */
export function reportFlaws({ findings }: Inspection, path: string, { flaws }: Scan): Problem[] {
  return flaws.flatMap(({ kind, offset, bytes, message }) => {
    if (kind === 'corrupt') return findings.problem({ kind, path, offset, bytes, message })
    findings.note({ kind, path, offset, bytes, message })
    return []
  })
}

/** Notes the unfinished frame at the end of a file, unless it is finished when everything else is done. */
export function doubtTail(inspection: Inspection, path: string, { end, sizeBytes }: Scan): void {
  if (end === sizeBytes) return
  const { environment, findings } = inspection
  inspection.doubt(() => {
    if (environment.files.linkStat(path)?.sizeBytes !== sizeBytes) return
    findings.note({ kind: 'torn', path, offset: end, bytes: sizeBytes - end, message: FLAW_MESSAGES.torn })
  })
}
