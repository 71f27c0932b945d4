// A program of the model test, as plain data: what is asked, of which actor, and what changes meanwhile. It goes to other
// processes as JSON, is printed when it fails, and shrinks by leaving parts out.

/** A place in the tree of the test, see `tree.ts`; `cwd`: relative, as it is given; `own`: below the project of the handle. */
export type Root = 'a' | 'b' | 'w' | 'p' | 'q' | 'wp' | 'link' | 'shared'
export interface PathRef {
  from: 'cwd' | 'own' | Root
  rel: string
  asUrl?: boolean
}

/** Which project's key it is: that of the working directory, or of a directory that is named. */
export type At = 'cwd' | Root

/** Names what belongs together by namespace and version; see `handles` in `caller.ts`. */
export interface Handle {
  namespace: string
  version: string
  isPortable: boolean
  isUser: boolean
  strategy: 'auto' | 'content'
}

export interface Ask {
  question: number
  variant: 0 | 1
  at: At
  isSync: boolean
}

export type Step =
  | { do: 'read'; path: PathRef; asBytes?: boolean }
  | { do: 'exists' | 'list'; path: PathRef }
  /** A file that is read by other means, named before or after that; `isGated`: only once the gate is open. */
  | { do: 'named'; path: PathRef; isLate: boolean; isGated?: boolean }
  | { do: 'glob'; patterns: string[]; at?: PathRef }
  | { do: 'env'; name: string }
  | { do: 'get' | 'has'; handle: number; at: At; key: string }
  /** A get of what a question computes. */
  | { do: 'peek'; question: number; at: At }
  | { do: 'put'; handle: number; key: string; value: string }
  | { do: 'ask'; ask: Ask; inRun?: boolean; isUntracked?: boolean }
  | { do: 'askAll'; asks: Ask[] }
  /** An analysis of text that was read before, as it was or changed. */
  | { do: 'askText'; question: number; path: PathRef; isChanged: boolean; isSync: boolean }
  | { do: 'when'; path: PathRef; even: Step[]; odd: Step[] }
  | { do: 'declared' | 'inputs' | 'time' | 'directory' | 'keys' }
  | { do: 'source' | 'bytes' | 'path' | 'relativePath' }
  | { do: 'throw'; path: PathRef }
  | { do: 'hidden' | 'gate' }
  /** Another question of the same circle. */
  | { do: 'circle'; ask: Ask }

export interface Question {
  call: 'getOrSet' | 'analyze' | 'wrap'
  /** Its key, or its name. */
  key: string
  handle: number
  steps: Step[]
  /** Whether errors of single steps are results: else they are errors of the question. */
  catches: boolean
  /** By variant. */
  files?: [PathRef[], PathRef[]]
  ttl?: [number | string, number | string]
  /** `variants`: they are part of the question. */
  hasInputs?: boolean
  /** Of an analysis: the file by variant, or its text. */
  file?: [PathRef, PathRef]
  text?: [string, string]
  isAnywhere?: boolean
  /** A set of facts, with those of all questions that it asks. */
  isCircle?: boolean
  gives?: 'undefined' | 'function'
  /**
   * How it is always asked, where it asks others through handles that follow the working directory: by such a handle as well, or
   * by one of a named project.
   */
  askedAt?: 'cwd' | 'named'
  depth: number
}

export type Edit =
  | { do: 'write'; path: PathRef; content: string; keepsTime?: boolean; isReplaced?: boolean }
  | { do: 'remove' | 'directory' | 'loop' | 'future' | 'touch'; path: PathRef }
  | { do: 'rename'; path: PathRef; to: PathRef }

export type PlainOperation =
  | { do: 'set'; value: string; ttl?: number; files?: PathRef[] }
  | { do: 'get' | 'has' | 'delete' | 'invalidate' | 'clear' }

export type Action =
  | { do: 'ask'; ask: Ask }
  | { do: 'together'; asks: Ask[] }
  | { do: 'snapshot'; asks: Ask[]; isAsync: boolean }
  | { do: 'edit'; edit: Edit }
  | { do: 'env'; name: string; value: string | null }
  | { do: 'plain'; handle: number; at: At; key: string; operation: PlainOperation }

/** What one actor does, in one working directory; `isOneTick`: without giving up control. */
export interface Turn {
  actor: number
  cwd: Cwd
  actions: Action[]
  isOneTick?: boolean
}

export type Cwd = Exclude<Root, 'q' | 'shared'> | 'a/src' | 'p/src' | 'link/src'

export interface Void {
  question: number
  actor: number
  by: number
  /** Who asks before the computation ends. */
  asksMeanwhile?: number
  cwd: Cwd
  operation: 'set' | 'delete' | 'invalidate' | 'clear'
  edit: Edit
}

export type Phase =
  | { do: 'world'; edits: Edit[]; env: [string, string | null][]; byMs: number }
  | { do: 'turns'; turns: Turn[] }
  /** The same turns again compute nothing. */
  | { do: 'calm'; turns: Turn[] }
  /** There and back: the turns compute nothing then. */
  | { do: 'branch'; turns: Turn[]; edits: Edit[] }
  /** The key is set or removed while its value is computed, if there was one for another state or none. */
  | ({ do: 'flight'; wasThere: boolean } & Void)
  /** A file changes after it was read by other means, and before it is named. */
  | { do: 'late'; question: number; actor: number; by: number; cwd: Cwd; keepsTime: boolean }
  /** The key is set or removed, and old states come back. */
  | ({ do: 'void' } & Void)

export interface Program {
  handles: Handle[]
  questions: Question[]
  phases: Phase[]
}

export const ACTORS = 4
/** Runs in the process of this actor, and shares its working directory. */
export const WORKER = 3
export const HOST_OF_WORKER = 1
export const ENV_NAMES = ['MODEL_ONE', 'MODEL_TWO']
