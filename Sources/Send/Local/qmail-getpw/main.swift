import CommandLine
import MailUsers
import Posix

Process.exit(
    Program("qmail-getpw", usage: "qmail-getpw local")
        .run(GetpwProgram.run))
