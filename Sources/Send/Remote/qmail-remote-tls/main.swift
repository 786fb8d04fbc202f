internal import Posix
internal import RemoteTLS

Process.exit(RemoteTLSProgram.run(Process.arguments, .current))
