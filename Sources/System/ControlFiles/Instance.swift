package import Posix

/// Where an installation lives: the machine's own folders, or a private copy of them below one folder.
///
/// `QHPSI_ROOT` chooses a private one, and only when the process is not set-id: a caller must not lead
/// a set-id program to files of his own.
package struct Instance: Sendable {
    /// What stands before every absolute path of the layout; empty for the machine's own.
    package let root: [UInt8]

    /// The instance below a folder; with an empty path the machine's own.
    package init(root: [UInt8]) { self.root = root }

    /// The instance this process belongs to, by `QHPSI_ROOT` in its environment.
    package static func current(_ environment: Environment) -> Instance {
        guard !Process.isSetID, let root = environment["QHPSI_ROOT"],
            root.first == UInt8(ascii: "/")
        else { return Instance(root: []) }
        return Instance(root: root)
    }

    /// A path of the layout, for instance `/etc/qhpsi/control`, in this instance.
    package func path(_ path: StaticString) -> [UInt8] {
        path.withUTF8Buffer { root + Array($0) }
    }

    /// The places of the layout, absolute.
    package var control: [UInt8] { path("/etc/qhpsi/control") }
    package var defaultQueue: [UInt8] { path("/etc/qhpsi/defaultqueue") }
    package var ids: [UInt8] { path("/etc/qhpsi/ids") }
    package var plugins: [UInt8] { path("/usr/lib/qhpsi/plugins") }
    package var pluginHost: [UInt8] { path("/usr/lib/qhpsi/qhpsi-host") }
    package var qhpsi: [UInt8] { path("/usr/sbin/qhpsi") }
    package var qmailQueue: [UInt8] { path("/usr/sbin/qmail-queue") }
    package var spool: [UInt8] { path("/var/spool/qhpsi") }
}
