import CommandLine
import FilterDelivery
import Posix

Process.exit(
    Program("vfilter", usage: "vfilter [-m maildir] | vfilter '' bounce-no-mailbox|delete|&address")
        .run { _ in VfilterProgram.run() })
