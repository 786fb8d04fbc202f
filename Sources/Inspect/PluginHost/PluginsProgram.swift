import ByteText
import ControlFiles
package import HostStart
package import Posix

/// The program qhpsi-plugins: what of a scan needs the dynamic loader.
package enum PluginsProgram {
    /// Do what the arguments say; see qhpsi-plugins(8).
    ///
    /// - Parameters:
    ///   - arguments: The program's name, `plugin`, and what belongs to it.
    ///   - environment: The variables, already cleaned.
    /// - Returns: How to end.
    package static func run(_ arguments: [[UInt8]], _ environment: Environment) -> HostExit {
        guard arguments.count > 3, arguments[1].equals("plugin"),
            let milliseconds = arguments[2].decimalValue
        else {
            HostScan.complain(
                [UInt8]("usage: qhpsi-plugins plugin MILLISECONDS PATH PLUGIN..."))
            return .misconfigured
        }
        do throws(Errno) {
            // Exec has made it visible again to processes of other scans.
            try Process.hideMemory()
        } catch {
            HostScan.complain([UInt8]("unable to hide memory: ") + error.text)
            return .privilege
        }
        let plugins = Array(arguments[4...])
        return HostScan.run(milliseconds: milliseconds) { message, deadline in
            do throws(Misconfiguration) {
                let settings = try PluginSettings(environment, in: .current(environment))
                let run = PluginRun(settings, path: arguments[3], deadline: deadline)
                return run.scan(message, with: plugins)
            } catch {
                return (PluginRun.failed(error.text), .misconfigured)
            }
        }
    }
}
