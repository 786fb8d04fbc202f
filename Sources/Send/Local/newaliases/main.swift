import AliasDelivery
import Posix

Process.exit(NewaliasesProgram.run())
