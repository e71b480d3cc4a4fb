/** What `main` runs until it is told to stop. */
export interface RunningServer {
  /** The end of standard input is the end of the server. */
  readonly stopsWithStdin: boolean;
  /** Ends every MCP session and login. */
  stop(): Promise<void>;
}

export type Environment = Readonly<Record<string, string | undefined>>;
