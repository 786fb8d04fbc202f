internal import HostStart
internal import PluginHost
internal import Posix

Process.exit(PluginsProgram.run(Process.arguments, .current).rawValue)
