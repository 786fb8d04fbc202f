import Posix

extension NameServiceUser {
    /// Whether he is a person, or a mailbox, and not a part of the system; Debian Policy §9.2.2.
    ///
    /// Not what his shell says: accounts that are for mail only have none.
    var isOrdinary: Bool {
        switch uid {
        case 1000...59_999, 65_536...4_294_967_293: true
        // root, Debian's own and other packages' users, nobody, and the numbers that mean none.
        default: false
        }
    }
}
