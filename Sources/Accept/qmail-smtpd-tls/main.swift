internal import Posix
internal import TLSStream

Process.exit(TLSServer.run(Process.arguments, .current))
