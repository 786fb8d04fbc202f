import AliasDelivery
import CommandLine
import Posix

Process.exit(
    Program("newaliases", usage: "newaliases, which makes /etc/qhpsi/aliases.cdb from /etc/aliases")
        .run(NewaliasesProgram.run))
