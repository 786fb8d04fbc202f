import ByteText
package import ControlFiles
package import Posix

/// Where the plugins are and how they are called, from the variables of qhpsi-host(8).
package struct PluginSettings: Equatable, Sendable {
    /// The folder, without a slash at its end.
    package var directory: [UInt8]
    /// The symbol of the entry point that takes a path; that of the richer one has `_v1` after it.
    package var symbol: [UInt8] = [UInt8]("virusscan")
    /// What the old entry point returns for an infected message, and for a clean one.
    package var infectedValue = 1
    package var cleanValue = 0

    /// Read the variables.
    ///
    /// - Parameters:
    ///   - environment: Where they are.
    ///   - instance: Whose plugins are used unless `PLUGINDIR` says otherwise.
    /// - Throws: The text that says which variable is wrong.
    package init(_ environment: Environment, in instance: Instance) throws(Misconfiguration) {
        directory = environment["PLUGINDIR"] ?? instance.plugins
        guard directory.first == UInt8(ascii: "/") else {
            throw Misconfiguration("PLUGINDIR is not an absolute path")
        }
        if let name = environment["QUEUE_PLUGIN"] ?? environment["QUEUE_PLUGIN_SYMB"] {
            guard !name.isEmpty else { throw Misconfiguration("QUEUE_PLUGIN is empty") }
            symbol = name
        }
        if let text = environment["QHPSIRC"] {
            guard let value = text.decimalValue else {
                throw Misconfiguration("QHPSIRC is not a number")
            }
            infectedValue = value
        }
        if let text = environment["QHPSIRN"] {
            guard let value = text.decimalValue else {
                throw Misconfiguration("QHPSIRN is not a number")
            }
            cleanValue = value
        }
    }

    /// The file of a plugin.
    ///
    /// - Returns: Nil when the name is empty or has a slash: plugins come from one folder only.
    package func path(of name: [UInt8]) -> [UInt8]? {
        guard !name.isEmpty, !name.contains(UInt8(ascii: "/")), !name.contains(0) else {
            return nil
        }
        return directory + [UInt8(ascii: "/")] + name
    }
}

/// A setting that cannot be meant.
package struct Misconfiguration: Error, Sendable {
    /// Which one, and what is wrong.
    package let text: [UInt8]
    init(_ text: StaticString) { self.text = [UInt8](text) }
}
