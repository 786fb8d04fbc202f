import HostStart
import PluginHost
import Posix

Process.exit(PluginsProgram.run(Process.arguments, .current).rawValue)
