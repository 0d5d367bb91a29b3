

resource "foo" "bar" /* c */ "baz" {
  a   = 1
  bbb = var.x
  // slash
  # hash   
  c = [1, 2,
  3]
  d = {
    x   = 1
    yyy = 2         # c1
    z   = { q = 1 } // c2
  }
  e  = <<EOT
   hello ${a + b} x
 $${z}  %{if x}y%{endif}
EOT
  ff = <<-EOT
      a
    EOT
  g  = "${a}${b}"
  h = (foo ? 1
  : 2)
  i = "x ${a + b} y"
  j = -1 + -2
  k = !a
  l = a[0].b[*].c
  m = f(a, b...)
  n = [for x in [a, b] : x if x != null]
  o = { for k, v in m : k => v... }
  p = (1 + 2) * 3
  q = provider::x::f(1)
  s = a ? b : c
  nested { x = 1 }
  empty {}
  empty2 {

  }
  tabbed         = 1  # tab comment
  long_name_here = 1  # aa
  x              = 22 # bb


  y  = foo("${bar}")
  z  = "${foo} "
  aa = ["${foo}"]
  ab = ((1))
  ac = "%{if x}a%{else}b%{endif}"
  ad = /* inline */ 1 /* after */
  ae = 1 /* multi
     line */
  af = a.*.b
  ag = f(
    1,
    {
      a = 1
    },
  )
  ah = f({
    a  = 1
    bb = 2
    }, [
    3
  ])
}
variable "v" {
  type = string
}
variable "w" {
  type = list(string)
}
variable "u" {
  type    = list(any)
  default = list
}
locals {
  a = b
}
