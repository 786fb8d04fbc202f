import Posix
import RemoteTLS

Process.exit(RemoteTLSProgram.run(Process.arguments, .current))
