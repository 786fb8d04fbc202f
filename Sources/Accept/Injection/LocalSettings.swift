import ByteText
import ControlFiles
import Posix

/// The settings under which mail of this machine is queued.
enum LocalSettings {
    /// A caller's variables, and those of /etc/qhpsi/defaultqueue that he has not set.
    ///
    /// They count when qmail-queue(8) believes the caller, as it does root; for all others it reads the folder itself.
    /// A caller who may not read it is none whom it believes.
    ///
    /// - Throws: When they cannot be read, and perhaps count: the message must not go unscanned for that.
    static func completed(
        _ environment: Environment, _ instance: Instance
    ) throws(ControlFailure) -> Environment {
        var defaults = Environment()
        do throws(ControlFailure) {
            try EnvironmentDirectory.apply(instance.defaultQueue, to: &defaults)
        } catch {
            if case .unreadable(_, let reason) = error,
                reason == .noSuchFile || reason == .accessDenied && Process.realUser != 0
            {
                return environment
            }
            throw error
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
