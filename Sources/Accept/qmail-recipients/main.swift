import CommandLine
import Posix
import Recipients

let usage: StaticString =
    "qmail-recipients, which makes control/recipients.cdb from control/recipients"
Process.exit(Program("qmail-recipients", usage: usage).run(RecipientsProgram.run))
