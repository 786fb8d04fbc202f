import LocalSpawner
import Posix

Process.exit(LspawnProgram.run())
