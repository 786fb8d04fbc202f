import CommandLine
import Posix
import RemoteSpawner

Process.exit(
    Program("qmail-rspawn", usage: "qmail-rspawn, by qmail-start")
        .run(RspawnProgram.run))
