import ByteText
import ControlFiles
import Posix

/// The settings under which mail of this machine is queued.
enum LocalSettings {
    /// A caller's variables, and those of /etc/qhpsi/defaultqueue that he has not set.
    ///
    /// They count when qmail-queue(8) believes the caller, as it does root; for all others it reads the folder itself.
    /// What stands in for files that cannot be read is told of on descriptor 2, to root at least: a stranger hears of it
    /// from qmail-queue(8).
    ///
    /// - Throws: When they cannot be read, and perhaps count: the message must not go unscanned for that.
    static func completed(
        _ environment: Environment, _ instance: Instance
    ) throws(ControlFailure) -> Environment {
        var defaults = Environment()
        do throws(ControlFailure) {
            try EnvironmentDirectory.apply(instance.defaultQueue, to: &defaults)
        } catch {
            guard let standIn = LocalDefaults.settings(after: error) else { throw error }
            defaults = standIn
            if Process.realUser == 0 {
                FileDescriptor.tell([UInt8]("warning: ") + error.text + [10], on: 2)
            }
        }
        var whole = environment
        for entry in defaults.entries {
            let name = Array(entry.prefix { $0 != UInt8(ascii: "=") })
            guard environment.value(of: name) == nil else { continue }
            whole.set(name, Array(entry.dropFirst(name.count + 1)))
        }
        return whole
    }
}
