#!/usr/bin/env node
/**
 * The process: command line, signals, exit codes; nothing else.
 *
 * In:  arguments, SIGINT and SIGTERM, the far ends of standard output and standard error.
 * Out: the exit code of base/errors.ts; one line a fault on standard error.
 *
 * The first signal ends the reading, and what was read is judged and written as at the end of a file; the second ends
 * the process at once.
 */
import './tuning.ts'
import { ConfigError, EXIT, RunError, UsageError } from './base/errors.ts'
import { printable } from './base/printable.ts'
import { runCommandLine } from './commands/commands.ts'
import { writeStandardOutput } from './standard-output.ts'

/** One press of Ctrl-C can arrive twice: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 300
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const

const args = process.argv.slice(2)
const isVerbose = args.some((word) => word === '-v' || word === '--verbose')

function complain(line: string): void {
  process.stderr.write(`flowscribe: ${printable(line)}\n`)
}

/** Says what went wrong and gives the exit code it deserves. */
function explain(error: unknown): number {
  if (isClosedPipe(error)) return EXIT.done
  if (error instanceof ConfigError) {
    error.message.split('\n').forEach(complain)
    return EXIT.usage
  }
  if (error instanceof UsageError) {
    complain(error.message)
    complain('flowscribe --help lists the commands, flowscribe COMMAND --help the options of one')
    return EXIT.usage
  }
  // Also what the system refused and nobody put into better words.
  if (error instanceof RunError || isSystemError(error)) error.message.split('\n').forEach(complain)
  else complain(`internal error, this is a bug: ${error instanceof Error ? error.message : String(error)}`)
  if (isVerbose && error instanceof Error && !(error instanceof RunError)) process.stderr.write(`${error.stack}\n`)
  return EXIT.failed
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

/** The reader of our standard output has enough, as in `flowscribe flows x.pcap | head`. */
function isClosedPipe(error: unknown): boolean {
  return isSystemError(error) && error.code === 'EPIPE' && error.syscall === 'write'
}

function listenForSignals(): AbortSignal {
  const stop = new AbortController()
  let firstMs = 0
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (!stop.signal.aborted) {
        firstMs = performance.now()
        stop.abort()
      } else if (performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(SIGNAL_EXIT[name])
    })
  }
  return stop.signal
}

function onSignal(name: 'SIGHUP' | 'SIGUSR1', work: () => void): void {
  process.on(name, work)
}

/** Ends only when what was written has left: process.exit drops what a pipe has not yet taken. */
function end(code: number): void {
  process.stdout.write('', () => process.exit(code))
}

// Nobody reads our messages any more: no reason to stop the work.
process.stderr.on('error', () => {})
process.stdout.on('error', (error) => process.exit(explain(error)))
process.on('uncaughtException', (error) => process.exit(explain(error)))

try {
  end(
    await runCommandLine(args, {
      print: writeStandardOutput,
      stderr: process.stderr,
      env: process.env,
      signal: listenForSignals(),
      onSignal,
    }),
  )
} catch (error) {
  end(explain(error))
}
