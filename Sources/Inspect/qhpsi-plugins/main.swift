import CommandLine
import HostStart
import PluginHost
import Posix

Process.exit(
    Program("qhpsi-plugins", usage: "qhpsi-plugins plugin milliseconds path plugin ...")
        .run { _ in PluginsProgram.run(Process.arguments, .current).rawValue })
