import AliasDelivery
import Posix

Process.exit(FastforwardProgram.run())
