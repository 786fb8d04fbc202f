import ByteText

/// What a message's structure says about what a scanner can see.
package struct StructureFindings: Equatable, Sendable {
    /// Why a part of the message is beyond every scanner's sight, nil when no part is; printable.
    package private(set) var reason: [UInt8]?
    /// Whether there is a RAR archive, which only a libclamav with libclamunrar looks into.
    package internal(set) var hasRAR = false
    /// Whether there is a part in which limits or a password can hide something: any attachment that is
    /// neither text nor a picture.
    package internal(set) var hasContainer = false
    /// The bytes of the largest HTML part, decoded.
    package internal(set) var largestHTML = 0
    /// The parts of all levels.
    package internal(set) var parts = 0

    init() {}

    /// Keep the first reason.
    mutating func note(_ reason: [UInt8]?) { self.reason = self.reason ?? reason }

    mutating func note(_ text: StaticString) { note([UInt8](text)) }

    mutating func add(_ other: StructureFindings) {
        note(other.reason)
        hasRAR = hasRAR || other.hasRAR
        hasContainer = hasContainer || other.hasContainer
        largestHTML = max(largestHTML, other.largestHTML)
        parts += other.parts
    }
}
