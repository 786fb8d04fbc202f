import CommandLine
import Injection
import Posix

let usage: StaticString =
    "sendmail [-t] [-f sender] [-F name] [-N notify] [-R full|hdrs] [-V id] [-bm|-bs|-bv|-bp|-bi] [recipient ...]"
Process.exit(Program("sendmail", usage: usage).run(SendmailProgram.run))
