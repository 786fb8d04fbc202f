import ByteText

/// The sessions that run: which process serves which client.
///
/// Plain arrays: at some thousand sessions looking through them costs far less than starting a process.
struct SessionTable {
    private var processes: [Int32] = []
    private var addresses: [PackedAddress] = []

    /// An address without memory of its own.
    private struct PackedAddress: Equatable {
        let high: UInt64
        let low: UInt64

        init(_ address: IPAddress) {
            let bytes = address.bytes
            // Of IPv4 only the low half is used; such IPv6 addresses are nobody's.
            var halves: (UInt64, UInt64) = (0, 0)
            for (i, byte) in bytes.enumerated() {
                if bytes.count - i > 8 {
                    halves.0 = halves.0 << 8 | UInt64(byte)
                } else {
                    halves.1 = halves.1 << 8 | UInt64(byte)
                }
            }
            (high, low) = halves
        }
    }

    /// How many there are.
    var count: Int { processes.count }

    /// How many of one client there are.
    func count(of address: IPAddress) -> Int {
        let wanted = PackedAddress(address)
        var count = 0
        for i in addresses.indices where addresses[i] == wanted { count += 1 }
        return count
    }

    mutating func add(process: Int32, address: IPAddress) {
        processes.append(process)
        addresses.append(PackedAddress(address))
    }

    /// Remove a session that is over; false when the process served none.
    mutating func remove(process: Int32) -> Bool {
        guard let index = processes.firstIndex(of: process) else { return false }
        let last = processes.count - 1
        processes.swapAt(index, last)
        addresses.swapAt(index, last)
        processes.removeLast()
        addresses.removeLast()
        return true
    }
}
