internal import PluginHost
internal import Posix

Process.exit(Host.run(Process.arguments, .current).rawValue)
