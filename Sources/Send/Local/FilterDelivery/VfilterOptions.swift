import ByteText

/// What vfilter(8) is told.
struct VfilterOptions {
    /// What becomes of mail for a user of a domain who has no mailbox.
    enum Unknown {
        case bounce
        case delete
        case forward([UInt8])
    }

    /// The user's maildir; nil: `Maildir` in his folder.
    private(set) var maildir: [UInt8]?
    /// Not nil: it serves the users of a domain, and delivers what no rule takes, too.
    private(set) var unknown: Unknown?

    /// Whether it is a part of the default delivery, which all users have.
    var isDefault: Bool { maildir == nil && unknown == nil }

    /// Read the arguments, without the program's name.
    ///
    /// The first of two is of no use here; it is known as a filter's command.
    init(_ arguments: [[UInt8]]) throws(VfilterFailure) {
        guard arguments.count <= 2 else { throw .usage }
        guard arguments.count == 2 else {
            if !arguments.isEmpty { throw .usage }
            return
        }
        let last = arguments[1]
        if arguments[0].equals("-m") {
            guard !last.isEmpty, !last.starts(with: "-") else { throw .usage }
            maildir = last
        } else if !arguments[0].isEmpty {
            throw .usage
        } else if last.equals("bounce-no-mailbox") {
            unknown = .bounce
        } else if last.equals("delete") {
            unknown = .delete
        } else if last.first == UInt8(ascii: "&"), last.contains(UInt8(ascii: "@")) {
            unknown = .forward(Array(last.dropFirst()))
        } else {
            throw .usage
        }
    }
}
