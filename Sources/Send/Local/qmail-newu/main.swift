import CommandLine
import MailUsers
import Posix

Process.exit(
    Program("qmail-newu", usage: "qmail-newu, which makes users/cdb from users/assign")
        .run(NewuProgram.run))
