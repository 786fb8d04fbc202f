/// The descriptors that qmail-start gives qmail-send; see qmail-send(8).
package enum SenderDescriptor {
    /// Where the log goes.
    package static let log: Int32 = 1
    /// To qmail-lspawn and from it, to qmail-rspawn and from it, to qmail-clean and from it.
    package static let toLocal: Int32 = 3
    package static let fromLocal: Int32 = 4
    package static let toRemote: Int32 = 5
    package static let fromRemote: Int32 = 6
    package static let toClean: Int32 = 7
    package static let fromClean: Int32 = 8
}
