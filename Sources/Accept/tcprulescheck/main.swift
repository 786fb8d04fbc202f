import CommandLine
import Posix
import RuleDatabase

Process.exit(
    Program("tcprulescheck", usage: "tcprulescheck [--source rules] rules.cdb")
        .run(TcprulescheckProgram.run))
