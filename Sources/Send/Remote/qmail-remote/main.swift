internal import MailRoutes
internal import Posix

Process.exit(RemoteProgram.run(Process.arguments, .current))
