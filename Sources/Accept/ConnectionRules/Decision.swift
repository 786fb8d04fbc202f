/// What the instructions of a rule do to a connection.
package struct Decision: Sendable {
    /// One instruction.
    package enum Step: Sendable {
        /// Set the variable of this `NAME=value`.
        case set([UInt8])
        /// Remove the variable of this name.
        case unset([UInt8])
    }

    /// Changes of the environment, in order.
    package private(set) var steps: [Step] = []
    /// Whether the connection is dropped; what would come after that is not among the steps.
    package private(set) var isDenied = false

    /// Read what a database holds: items that end in NUL, each with its kind first.
    ///
    /// What follows the last NUL is not an item, and items of other kinds do nothing, as with ucspi-tcp.
    package init(_ data: [UInt8]) {
        var start = 0
        for i in data.indices where data[i] == 0 {
            switch data[start] {
            case UInt8(ascii: "D"):
                isDenied = true
                return
            case UInt8(ascii: "+"): steps.append(.set(Array(data[(start + 1)..<i])))
            case UInt8(ascii: "-"): steps.append(.unset(Array(data[(start + 1)..<i])))
            default: break
            }
            start = i + 1
        }
    }
}
