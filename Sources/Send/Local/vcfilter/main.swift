import FilterStore
import Posix

Process.exit(VcfilterProgram.run())
