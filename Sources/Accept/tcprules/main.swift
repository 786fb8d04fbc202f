import CommandLine
import Posix
import RuleDatabase

Process.exit(
    Program("tcprules", usage: "tcprules rules.cdb rules.tmp")
        .run(TcprulesProgram.run))
