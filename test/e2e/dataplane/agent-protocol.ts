/** One JSON object a line, both ways, over the Unix socket of an agent. */

export type Transport = 'TCP' | 'UDP';

export interface Target {
  transport: Transport;
  address: string;
  port: number;
  /** Local address to send from; the system's choice when absent. */
  from?: string;
}

/** What a server says of a question: its own name, and the address that it saw asking. */
export interface Answer {
  by: string;
  source: string;
}

/** `code`: an error code of the system such as `ECONNREFUSED`, or `SILENCE` when nothing came within the limit. */
export type Reply = Answer | { code: string };

export type Command =
  /** `count` questions, each over a connection (or from a port) of its own. */
  | { op: 'ask'; target: Target; count: number; parallel: number; limitMs: number }
  /** One connection that stays; the reply is that to its first question. */
  | { op: 'hold'; key: string; target: Target; limitMs: number }
  /** Another question over a connection that is held. */
  | { op: 'talk'; key: string; limitMs: number }
  | { op: 'release'; key: string }
  /** Asks over and over, each time over a new connection, until `stopStream`. */
  | { op: 'stream'; key: string; target: Target; limitMs: number }
  /** Answered when the stream has asked `more` times since now. */
  | { op: 'progress'; key: string; more: number }
  | { op: 'stopStream'; key: string };

/** Replies, equal ones counted. */
export type Tally = { reply: Reply; count: number }[];

export interface Results {
  ask: Tally;
  hold: Reply;
  talk: Reply;
  release: null;
  stream: null;
  progress: null;
  stopStream: Tally;
}

export type Request = Command & { id: number };
export type Response = { id: number } & ({ result: Results[keyof Results] } | { failure: string });

export const SERVED_PORT = 8080;
