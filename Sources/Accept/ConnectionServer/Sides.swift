import ByteText
import Posix

/// The two ends of a connection.
struct Sides {
    /// The server's.
    var local: Side
    /// The client's.
    var remote: Side

    /// An address with its text, and a port.
    struct Side {
        let address: IPAddress
        let text: [UInt8]
        let port: UInt16

        init(_ address: IPAddress, port: UInt16) {
            self.address = address
            text = address.text
            self.port = port
        }

        init?(_ endpoint: InternetEndpoint) {
            guard let address = IPAddress(bytes: endpoint.address) else { return nil }
            self.init(address, port: endpoint.port)
        }

        /// The side of an address and a port in decimal.
        init?(_ address: [UInt8], _ port: [UInt8]) {
            guard let address = IPAddress(address), let port = port.decimalValue,
                let port = UInt16(exactly: port)
            else { return nil }
            self.init(address, port: port)
        }
    }
}
