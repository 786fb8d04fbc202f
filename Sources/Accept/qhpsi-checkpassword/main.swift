import Checkpassword
import Posix

Process.exit(CheckpasswordProgram.run(Process.arguments, .current))
