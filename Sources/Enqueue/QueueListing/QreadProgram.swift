package import CommandLine

/// The program qmail-qread(8).
package enum QreadProgram {
    /// List the messages.
    ///
    /// - Returns: 0; 100 for an unknown option; 111 when a queue cannot be read.
    package static func run(_ program: Program) -> Int32 {
        ListProgram.run(program) { (queues, output) throws(ListFailure) in
            var list = MessageList(namesQueue: queues.count > 1)
            for queue in queues { try list.write(queue, to: &output) }
        }
    }
}
