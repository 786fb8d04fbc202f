import ByteText

/// The sessions that run: which process serves which client.
///
/// Plain arrays: at some thousand sessions looking through them costs far less than starting a process.
struct SessionTable {
    private var processes: [Int32] = []
    private var networks: [IPAddress] = []

    /// How many there are.
    var count: Int { processes.count }

    /// How many there are of the client with this address.
    func count(of address: IPAddress) -> Int {
        let network = address.clientNetwork
        var count = 0
        for i in networks.indices where networks[i] == network { count += 1 }
        return count
    }

    /// Some of those that began last.
    func newest(_ most: Int) -> [Int32] { Array(processes.suffix(most)) }

    mutating func add(process: Int32, address: IPAddress) {
        processes.append(process)
        networks.append(address.clientNetwork)
    }

    /// Remove a session that is over; false when the process served none.
    mutating func remove(process: Int32) -> Bool {
        // It is mostly one of the last.
        guard let index = processes.lastIndex(of: process) else { return false }
        let last = processes.count - 1
        processes.swapAt(index, last)
        networks.swapAt(index, last)
        processes.removeLast()
        networks.removeLast()
        return true
    }
}
