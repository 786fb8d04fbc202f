package import ByteText
import ControlFiles
import Posix

/// The addresses at which a connection comes to this machine itself.
package struct OwnAddresses: Sendable {
    private let own: [IPAddress]
    private let others: [IPAddress]

    /// These addresses and all loopback ones, but not the others.
    package init(own: [IPAddress], others: [IPAddress]) {
        self.own = own
        self.others = others
    }

    /// Those of the interfaces and of control/ipme, but not those of control/notipme.
    ///
    /// - Throws: When one of the files cannot be read. Without the interfaces the files have to do.
    init(_ control: Control) throws(ControlFailure) {
        var own = try control.addresses("ipme")
        do throws(Errno) {
            own += try Interfaces.addresses().compactMap { IPAddress(bytes: $0) }
        } catch {
            // The kernel has no netlink for us; loopback is known all the same.
        }
        self.init(own: own, others: try control.addresses("notipme"))
    }

    /// Whether the address is one of them.
    package func contains(_ address: IPAddress) -> Bool {
        if others.contains(address) { return false }
        return address.isLoopback || isUnspecified(address) || own.contains(address)
    }

    /// 0.0.0.0/8, or ::; a connection to them comes to the machine itself.
    private func isUnspecified(_ address: IPAddress) -> Bool {
        address.width == 32 ? address.bytes[0] == 0 : address.bytes.allSatisfy { $0 == 0 }
    }
}
