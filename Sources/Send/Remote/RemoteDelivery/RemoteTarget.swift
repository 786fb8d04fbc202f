package import ByteText
package import RemoteDialogue

/// A server that may be asked to take a message.
package struct RemoteTarget: Equatable, Sendable {
    /// Its name in the DNS, or an address in brackets; without blanks.
    package let name: [UInt8]
    package let address: IPAddress
    package let port: UInt16

    /// A server.
    package init(name: [UInt8], address: IPAddress, port: UInt16) {
        self.name = name
        self.address = address
        self.port = port
    }

    /// How it is spoken of.
    package var peer: RemotePeer { RemotePeer(name: name, address: address.text) }

    /// Three words for each of the targets.
    static func text(of targets: [RemoteTarget]) -> [UInt8] {
        var text: [UInt8] = []
        for target in targets {
            text += target.name
            text.append(" ")
            target.address.append(to: &text)
            text.append(" ")
            text.append(decimal: target.port)
            text.append(" ")
        }
        return text
    }

    /// The targets of such words, nil when they are not such.
    static func targets(_ words: ArraySlice<[UInt8]>) -> [RemoteTarget]? {
        let words = Array(words)
        guard words.count % 3 == 0 else { return nil }
        var targets: [RemoteTarget] = []
        for i in stride(from: 0, to: words.count, by: 3) {
            guard let address = IPAddress(words[i + 1]),
                let port = words[i + 2].decimalValue.flatMap({ UInt16(exactly: $0) })
            else { return nil }
            targets.append(RemoteTarget(name: words[i], address: address, port: port))
        }
        return targets
    }
}
