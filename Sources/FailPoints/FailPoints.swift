// FailPoints: named places where the process can be made to die or hang, so that crash tests strike exactly between two
// steps of the product's own order.
