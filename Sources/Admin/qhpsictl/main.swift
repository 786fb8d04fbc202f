Qhpsictl.start()
