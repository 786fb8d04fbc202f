import ByteText
package import Posix

/// What the program without TLS hands to the one that has it: a connection and whom to ask.
package struct TLSHandover: Sendable {
    /// The descriptor of the connection; it is inherited.
    package let socket: Int32
    /// Whose connection it is, and those that may be asked after him.
    package let targets: [RemoteTarget]

    /// The variable that carries it.
    package static var variable: StaticString { "QMAILREMOTETLS" }

    /// Read the handover from its variable; nil when the variable is missing or malformed.
    package init?(_ environment: Environment) {
        guard let words = environment[Self.variable]?.words, let socket = words.first?.decimalValue,
            let targets = RemoteTarget.targets(words.dropFirst()), !targets.isEmpty
        else { return nil }
        self.socket = Int32(clamping: socket)
        self.targets = targets
    }

    init(socket: Int32, targets: [RemoteTarget]) {
        self.socket = socket
        self.targets = targets
    }

    var text: [UInt8] {
        var text = [UInt8](decimal: socket)
        text.append(" ")
        return text + RemoteTarget.text(of: targets)
    }
}
