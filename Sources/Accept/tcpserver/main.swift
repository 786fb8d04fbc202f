import ConnectionServer
import Posix

Process.exit(TcpserverProgram.run())
