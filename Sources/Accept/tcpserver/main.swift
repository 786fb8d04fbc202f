import CommandLine
import ConnectionServer
import Posix

let usage: StaticString = """
    tcpserver [ -1kUXpPhHrRoOdDqQv ] [ -c limit ] [ -C limit ] [ -x rules.cdb ] \
    [ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] [ -l localname ] [ -t timeout ] \
    [ -y seconds ] [ -f fd ] host port program
    """
Process.exit(Program("tcpserver", usage: usage).run(TcpserverProgram.run))
