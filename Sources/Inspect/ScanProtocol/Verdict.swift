/// What a scan said of one message.
package enum Verdict: Equatable, Sendable {
    /// The scanner looked at all of it and found nothing.
    case clean
    /// The scanner found something.
    case infected(signature: [UInt8])
    /// The scanner works but did not look at all of it, for instance because of its size.
    case notScanned(reason: [UInt8])
    /// The scanner could not answer, or what it answered cannot be trusted.
    case failed(reason: [UInt8])
}
