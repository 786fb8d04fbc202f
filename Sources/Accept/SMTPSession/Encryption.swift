/// How a session's bytes are protected, for the log and the Received field.
package struct Encryption: Sendable {
    /// The protocol's version, as `TLSv1.3`.
    package var version: [UInt8]
    /// The name of the cipher.
    package var cipher: [UInt8]
    /// The length of its key in bits.
    package var keyLength: Int

    /// As these words say.
    package init(version: [UInt8], cipher: [UInt8], keyLength: Int) {
        self.version = version
        self.cipher = cipher
        self.keyLength = keyLength
    }
}

// A stream without encryption.
extension ByteStream where Self: ~Copyable {
    /// Nothing.
    package var encryption: Encryption? { nil }

    /// Nothing.
    package var trouble: [UInt8]? { nil }

    /// Nothing, for closing the descriptors says it.
    package mutating func finish() {}
}
