import Posix
import TLSStream

Process.exit(TLSServer.run(Process.arguments, .current))
