import CommandLine
import LocalDelivery
import Posix

let usage: StaticString =
    "qmail-local [ -anuN ] [ -- ] user homedir local dash ext domain sender defaultdelivery"
Process.exit(Program("qmail-local", usage: usage).run(LocalProgram.run))
